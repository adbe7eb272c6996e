import { rolldown } from 'rolldown';

/** A module and all that it imports, as one script for browsers. */
export async function bundleForBrowser(input: string, minify = false): Promise<string> {
  const bundle = await rolldown({
    input,
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', minify });
  await bundle.close();
  return output[0].code;
}
