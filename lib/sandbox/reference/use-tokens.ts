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
