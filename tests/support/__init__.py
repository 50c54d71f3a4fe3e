"""What cross-project tests share: real processes on free ports, a browser, servers."""
