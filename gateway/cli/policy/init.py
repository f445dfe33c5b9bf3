"""`querywarden policy init`: a repository for an organisation's own policy, with a test and a pipeline that runs it."""

import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from gateway.cli.policy.reporting import SAYS_YES
from gateway.core.errors import ConfigError

ACCESS: Final = """\
# Everything that is not granted is denied. docs: configuration, "Site data".
grants:
  - {groups: [agents], connections: [payments], relations: ["public.*"], actions: [select]}
masks: {pan: last4, cvv: "null"}
deny:
  - {actions: [drop, truncate, grant], connections: ["*"]}
limits:
  - {groups: [agents], rows: 10000, rows_by_label: {pan: 100}, window: 1h}
"""
CLASSIFICATION: Final = """\
# connection -> schema.relation -> column -> labels. `querywarden discover` proposes it.
payments:
  public.cards: {pan: [pan], cvv: [cvv]}
"""
VECTOR: Final = """\
{
  "about": "What our access rules must come to. Asked under the site data of the bundle.",
  "vectors": [
    {
      "name": "whoever is in no group is told nothing",
      "shows": ["PCI-DSS-4.0.1/7.3.3"],
      "input": {
        "spec": "querywarden/input/v1",
        "subject": {"id": "stranger", "issuer": "https://idp.example", "type": "agent", "groups": []},
        "action": {"name": "select", "category": "read"},
        "resource": {
          "connection": "payments", "engine": "postgres", "version": "18.4", "database": "payments", "labels": {}
        },
        "statement": {
          "dialect": "postgres", "count": 1, "text_redacted": "SELECT ?", "relations": [], "columns": [],
          "functions": [], "settings": [], "hazards": [],
          "shape": {
            "has_where": false, "limit": false, "joins": 0, "cartesian": false, "set_operation": false, "locking": false
          }
        },
        "context": {"channel": "postgres", "transaction": "none"}
      },
      "decision": {
        "outcome": "deny",
        "advice": [],
        "obligations": {"limits": {}, "masks": [], "row_filters": []},
        "reasons": [{"args": {"connection": "payments"}, "code": "access.no_grant"}]
      }
    }
  ]
}
"""
WORKFLOW: Final = """\
# Builds the bundle from site/, asks it every vector, says which requirement is held by which rule.
name: policy
on: [push, pull_request]
permissions: {contents: read}
jobs:
  policy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - run: pip install 'querywarden[history]'
      - run: querywarden policy build --site site -o bundle.tar.gz --revision "$GITHUB_SHA"
      - run: querywarden policy vectors bundle.tar.gz --junit vectors.xml
      - run: querywarden policy matrix --bundle bundle.tar.gz -o matrix.html -o matrix.csv
      # With an exported history (`querywarden policy history`), what would change:
      # - run: querywarden policy backtest --candidate bundle.tar.gz --history history
      - uses: actions/upload-artifact@v4
        with: {name: policy, path: "bundle.tar.gz\\nvectors.xml\\nmatrix.*"}
"""
README: Final = """\
# Policy

`site/` says who may do what with which data; `site/vectors/` what that must come to. No bundle that answers a vector
otherwise comes into force.

    querywarden policy build --site site -o bundle.tar.gz
    querywarden policy vectors bundle.tar.gz
    querywarden policy matrix --bundle bundle.tar.gz -o matrix.html

A release is signed where the key is, not in the pipeline:

    querywarden policy sign bundle.tar.gz --key policy.pem --sequence 1 -o release.tar.gz
"""
FILES: Final = {
    "README.md": README,
    "site/access.yaml": ACCESS,
    "site/classification.yaml": CLASSIFICATION,
    "site/vectors/access.json": VECTOR,
    ".github/workflows/policy.yml": WORKFLOW,
    ".gitignore": "*.pem\n*.tar.gz\nmatrix.*\nvectors.xml\n",
}


def init(folder: Annotated[Path, Parameter(help="Where; files that are there are left alone.")] = Path()) -> int:
    """Write a policy repository: site data, a vector, a workflow for GitHub. Nothing that exists is touched."""
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        raise ConfigError("config.invalid", f"{folder}: already there: {', '.join(there)}")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return SAYS_YES
