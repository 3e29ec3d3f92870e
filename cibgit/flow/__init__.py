"""Use cases, one a file: plain functions without printing, argv or environment."""
