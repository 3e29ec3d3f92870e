"""Two CIBs and what differs between them. Pure."""
