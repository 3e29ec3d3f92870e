"""The live side: one Protocol, one adapter a file."""
