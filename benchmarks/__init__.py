"""Speed, measured side by side with the peer tools in one run, as ratios."""
