import { spawn } from 'node:child_process';

/** The program that opens a URL in the default browser, on each platform. */
const PROGRAMS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  // `start` exists in the shell only.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens a page in the default browser. A failure is a line on standard error. */
export function openInBrowser(url: string): void {
  const [program, ...args] = PROGRAMS[process.platform] ?? ['xdg-open'];
  const fail = (reason: unknown): void => {
    process.stderr.write(`No browser could be opened (${program}: ${reason}). Open ${url}\n`);
  };
  const child = spawn(program, [...args, url], { detached: true, stdio: 'ignore' });
  child.once('error', ({ code }: NodeJS.ErrnoException) => fail(code));
  child.once('exit', (code) => {
    if (code !== null && code !== 0) fail(`exit code ${code}`);
  });
  child.unref();
}
