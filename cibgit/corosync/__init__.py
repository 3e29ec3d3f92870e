"""The document of the cluster layer, ``corosync.conf``. Pure: bytes in, values out."""
