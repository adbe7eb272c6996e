import { jest } from '@jest/globals';

/** Runs a command of the command line in this process, and keeps what it writes. */
export async function runCommand(
  command: (args: string[]) => number | Promise<number>,
  args: string[],
) {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await command(args), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
