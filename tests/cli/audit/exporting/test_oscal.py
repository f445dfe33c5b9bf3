"""OSCAL assessment-results are valid by models made from the published JSON Schema, and claim nothing."""

import json

import pytest
from oscal_bindings.v1.models import AssessmentResultsDocument
from pydantic import ValidationError

from gateway.cli.audit.exporting.drawing import Drawn
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.oscal import assessment_results
from gateway.cli.audit.exporting.reports import matrix_for
from gateway.evidence.package.contents import as_json
from gateway.policy.requirements import read_catalogue, shipped_catalogue


@pytest.fixture(scope="module")
def document(drawn: Drawn, material: Material) -> bytes:
    matrix = matrix_for(material, read_catalogue(shipped_catalogue()))
    return as_json(assessment_results(drawn.taken, drawn.sample, matrix, "tests"))


def test_it_is_valid(document: bytes) -> None:
    read = AssessmentResultsDocument.model_validate_json(document)
    (result,) = read.assessment_results.results
    assert len(result.observations or []) > 40


def test_the_models_are_strict(document: bytes) -> None:
    told = json.loads(document)
    told["assessment-results"]["results"][0]["observations"][0]["more"] = 1
    with pytest.raises(ValidationError):
        AssessmentResultsDocument.model_validate(told)
    told = json.loads(document)
    del told["assessment-results"]["import-ap"]
    with pytest.raises(ValidationError):
        AssessmentResultsDocument.model_validate(told)


def test_it_has_no_finding_because_that_is_an_assessors_word(document: bytes) -> None:
    (result,) = json.loads(document)["assessment-results"]["results"]
    assert "findings" not in result
    assert b"satisfied" not in document


def test_its_identifiers_are_the_same_each_time_and_lead_somewhere(
    document: bytes, drawn: Drawn, material: Material
) -> None:
    matrix = matrix_for(material, read_catalogue(shipped_catalogue()))
    assert as_json(assessment_results(drawn.taken, drawn.sample, matrix, "tests")) == document
    told = json.loads(document)["assessment-results"]
    resources = {resource["uuid"] for resource in told["back-matter"]["resources"]}
    assert told["import-ap"]["href"].removeprefix("#") in resources


def test_what_is_not_governed_is_not_observed(document: bytes) -> None:
    (result,) = json.loads(document)["assessment-results"]["results"]
    observed = {each["title"].partition(":")[0] for each in result["observations"]}
    assert "PCI-DSS-4.0.1/8.6.1" not in observed
    assert "PCI-DSS-4.0.1/3.4.1" in observed
