// The built sandbox on one platform, in a process of its own; for tests of what Jest cannot load.
// Arguments: express or fastify. Prints one line of JSON.
const dist = process.env.BERBIX_DIST ?? new URL('../../../dist/esm', import.meta.url).pathname;
const { BerbixSandbox } = await import(`${dist}/sandbox/index.js`);
const { PLATFORM_LOADERS } = await import(`${dist}/sandbox/server/http-adapter.js`);

const platform = process.argv[2];
const sandbox = await BerbixSandbox.startOn({ [platform]: PLATFORM_LOADERS[platform] });
console.log(JSON.stringify({ url: sandbox.url, apiSecret: sandbox.apiSecret }));
process.on('disconnect', () => process.exit());
