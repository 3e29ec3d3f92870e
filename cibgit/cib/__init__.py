"""The document: a CIB as bytes, tree, canonical form, digest and patchset. Pure."""
