//! Which streams the plugin holds, over all workers.
