"""What an import found, as a document and as a page for people."""
