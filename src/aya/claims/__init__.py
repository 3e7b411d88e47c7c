"""What a document says, held against what is known: confirmed, contradicted or unverifiable, each with its evidence."""
