/**
 * Where the dashboard would show the transaction; there is none for the sandbox.
 * ASSUMPTION: the path. [sdk: node-demo README]
 */
export function dashboardUrlOf(id: string): string {
  return `https://dashboard.berbix.com/transactions/${id}`;
}
