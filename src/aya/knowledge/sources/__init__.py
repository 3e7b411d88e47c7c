"""Where documents come from: files, the documentation that is recorded, and the state itself."""
