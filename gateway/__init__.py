"""querywarden: a policy-as-code gateway between AI agents and databases that hold card data."""
