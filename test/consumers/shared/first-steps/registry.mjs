// A registry of npm that has the packed package, and sends npm to its usual registry for the others.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** Starts it; its URL, the README in the tarball, and how to stop it. */
export async function startRegistry(tarball) {
  const packed = readFileSync(tarball);
  const read = (file) =>
    execFileSync('tar', ['-xzOf', tarball, `package/${file}`], { encoding: 'utf8' });
  const usual = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  const manifest = JSON.parse(read('package.json'));
  const { name, version } = manifest;

  const server = createServer((request, response) => {
    if (request.url === `/${name}.tgz`) response.end(packed);
    else if (request.url === `/${name}`) response.end(JSON.stringify(packument));
    else response.writeHead(307, { location: new URL(request.url.slice(1), usual).href }).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const integrity = `sha512-${createHash('sha512').update(packed).digest('base64')}`;
  const packument = {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist: { tarball: `${url}/${name}.tgz`, integrity } } },
  };
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url, readme: read('README.md'), stop };
}
