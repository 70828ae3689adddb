"""What stands beside Temporal's own client and worker. The modules in here need `temporalio`."""
