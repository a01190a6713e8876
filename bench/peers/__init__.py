"""The servers that Pacemark is measured against, and what asks them."""
