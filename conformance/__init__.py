"""AYA's MCP server before the protocol's own judges: the conformance suite and the inspector."""
