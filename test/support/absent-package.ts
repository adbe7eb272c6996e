/**
 * Stands for a package in Jest, which then is as if it were not installed: one that Jest cannot load,
 * since it is CommonJS and requires an ES module. What it does is tested in a process of its own.
 */
throw Object.assign(new Error("Cannot find package '@fastify/static' imported from a test"), {
  code: 'ERR_MODULE_NOT_FOUND',
});
