// The page of a customer. Your framework would write this differently; mountBerbix() stays the same.
import { mountBerbix } from './berbix.js';

const find = (id) => document.getElementById(id);

const { baseUrl } = await (await fetch('config.json')).json();

/** Of the signed-in customer. A real page would have a session cookie. */
let customer = sessionStorage.getItem('customer');
/** The verification in the page. */
let frame;
/** What the customer can try again. */
let failed;

/** A request to the backend. */
async function ask(method, path = '', signal = undefined) {
  const headers = { 'x-demo-customer': customer };
  const response = await fetch(`verification${path}`, { method, headers, signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** Shows the result, which only the backend knows, and what the customer can do next. */
async function show() {
  const { status } = await ask('GET');
  const result = status === 'not_started' ? undefined : await ask('GET', '/result');
  const isFinished = typeof result?.action === 'string';
  say(isFinished ? `Result: ${result.action}, ${result.name}` : 'Your identity is not verified.');
  find('begin').hidden = isFinished;
  find('again').hidden = !isFinished;
}

function say(text) {
  find('status').textContent = text;
}

/** @param path `/again` for another attempt; then the attempt is resumed */
function verify(path) {
  hideButtons();
  say('Follow the steps below.');
  let nextPath = path;
  // It may still show an error.
  frame?.unmount();
  frame = mountBerbix(find('verification'), {
    baseUrl,
    fetchClientToken: async (signal) => {
      const { clientToken } = await ask('POST', nextPath, signal);
      nextPath = '';
      if (clientToken !== undefined) return clientToken;
      throw new Error('BERBIX_TEMPLATE_KIND is hosted: this page needs a template for frames.');
    },
    onComplete: () => attempt(show),
    onError: (error) => offerRetry(error, () => verify(nextPath)),
  });
}

function hideButtons() {
  for (const id of ['begin', 'again', 'retry']) find(id).hidden = true;
}

async function attempt(work) {
  hideButtons();
  try {
    await work();
  } catch (error) {
    offerRetry(error, work);
  }
}

/** Shows what went wrong; the work can be tried again. */
function offerRetry(error, work) {
  say(`Sorry, that did not work: ${error.message}`);
  failed = work;
  find('retry').hidden = false;
}

/** For the tab, so that the customer stays signed in when the page is loaded again. */
function signIn(uid) {
  customer = uid;
  sessionStorage.setItem('customer', uid);
  find('customer').textContent = uid;
  find('sign-in').hidden = true;
  find('account').hidden = false;
  void attempt(show);
}

find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  signIn(new FormData(event.target).get('customer'));
});
find('begin').addEventListener('click', () => verify(''));
find('again').addEventListener('click', () => verify('/again'));
find('retry').addEventListener('click', () => attempt(failed));
find('sign-out').addEventListener('click', () => {
  frame?.unmount();
  sessionStorage.removeItem('customer');
  find('sign-in').hidden = false;
  find('account').hidden = true;
});
find('address').textContent = location.origin;
if (customer !== null) signIn(customer);
