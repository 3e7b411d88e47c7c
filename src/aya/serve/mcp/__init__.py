"""AYA for agents, by the Model Context Protocol: operations as tools, what is recorded as resources."""
