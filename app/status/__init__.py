"""What got worse on all of a workspace's sites: asked in one query, shown on one screen."""
