"""What results mean, in sentences: the words of the page and of the command line."""
