"""Parts that the integration and fault tests are made of: servers, the host, a workload and the checker."""
