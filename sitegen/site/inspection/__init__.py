"""What a site carries for those who inspect it: its parts, their licences, its policy."""
