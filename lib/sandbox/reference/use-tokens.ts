/** What the function sees of the page that it runs in. */
interface Page {
  ui: { preauthorizeApiKey(scheme: string, token: string): void };
}

interface Answer {
  obj?: { access_token?: string; client_token?: string };
}

/**
 * Fills the tokens of an answer in for the next requests. It goes to the browser as text, so it uses
 * nothing from outside.
 */
export function useTokens(answer: Answer): Answer {
  const { ui } = globalThis as unknown as Page;
  const { access_token: accessToken, client_token: clientToken } = answer.obj ?? {};
  if (accessToken) ui.preauthorizeApiKey('accessToken', accessToken);
  if (clientToken) ui.preauthorizeApiKey('clientToken', clientToken);
  return answer;
}

/**
 * Sends what the page was told, and nothing that the browser keeps: it would ask for a login of its
 * own at each 401. It goes to the browser as text, too.
 */
export function omitCredentials(request: object): object {
  return Object.assign(request, { credentials: 'omit' });
}
