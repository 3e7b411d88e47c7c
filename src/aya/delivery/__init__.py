"""A node's state on its way from the machine that looked to the AYA that records it."""
