// The page at /reference: Swagger UI, and the samples of each operation. Browsers get this file as it is.

/** @typedef {{ lang: string, label: string, source: string }} CodeSample */
/** @typedef {{ get(name: string): any }} Immutable */
/**
 * @typedef {object} SwaggerUi
 * @property {(scheme: string, token: string) => void} preauthorizeApiKey
 * @property {{ parseDeepLinkHash(hash: string): void }} layoutActions
 * @property {{ setRequestBodyValue(body: { value: string, pathMethod: string[] }): void }} oas3Actions
 */
/**
 * @typedef {{ access_token?: string, client_token?: string, refresh_token?: string }} Tokens
 * @typedef {{ obj?: Tokens }} PageAnswer
 */

/** The name under which the browser keeps the language. */
const LANGUAGE_KEY = 'berbix-reference-language';

/** The language of the samples: chosen once for all operations, and for the next visit. */
class ChosenLanguage {
  #label = ChosenLanguage.#remembered();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  get = () => this.#label;

  /** @param {() => void} listener */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @param {string} label */
  set(label) {
    this.#label = label;
    try {
      localStorage.setItem(LANGUAGE_KEY, label);
    } catch {
      // The browser stores nothing: it stays chosen until the page is left.
    }
    for (const listener of this.#listeners) listener();
  }

  static #remembered() {
    try {
      return localStorage.getItem(LANGUAGE_KEY);
    } catch {
      return null;
    }
  }
}

const language = new ChosenLanguage();

/**
 * @param {string} text
 * @returns whether it is in the clipboard
 */
async function copy(text) {
  try {
    // Over HTTP, only pages of this machine have it.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

/** @param {string} text */
function copySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  // The area has taken the focus from the button.
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** Shows the samples of an operation between its description and its parameters. */
const samplesPlugin = {
  wrapComponents: {
    /**
     * @param {any} Parameters the component of Swagger UI
     * @param {{ React: any }} system
     */
    parameters: (Parameters, { React }) => {
      const { createElement: h, Fragment, useMemo, useRef, useState, useSyncExternalStore } = React;

      /** @param {{ operation: Immutable }} props */
      return function ParametersWithSamples(props) {
        const { operation } = props;
        const samples = useMemo(() => operation.get('x-codeSamples')?.toJS() ?? [], [operation]);
        const id = `samples-${operation.get('operationId')}`;
        return h(
          Fragment,
          null,
          samples.length > 0 && h(Samples, { id, samples }),
          h(Parameters, props),
        );
      };

      /** @param {{ id: string, samples: CodeSample[] }} props */
      function Samples({ id, samples }) {
        const chosen = useSyncExternalStore(language.subscribe, language.get);
        const [copied, setCopied] = useState('');
        const list = useRef(null);
        // An SDK may not have the operation.
        const found = samples.findIndex(({ label }) => label === chosen);
        const index = Math.max(found, 0);
        const { label, source } = /** @type {CodeSample} */ (samples[index]);

        /** @param {KeyboardEvent} event */
        const onKeyDown = (event) => {
          const last = samples.length - 1;
          /** @type {Record<string, number>} */
          const targets = {
            ArrowRight: index === last ? 0 : index + 1,
            ArrowLeft: index === 0 ? last : index - 1,
            Home: 0,
            End: last,
          };
          const target = targets[event.key];
          if (target === undefined) return;
          event.preventDefault();
          language.set(samples[target]?.label ?? '');
          list.current.children[target].focus();
        };

        const tabs = samples.map((sample, position) =>
          h(
            'button',
            {
              key: sample.label,
              id: `${id}-tab-${position}`,
              type: 'button',
              role: 'tab',
              className: 'samples-tab',
              'aria-selected': position === index,
              'aria-controls': `${id}-panel`,
              tabIndex: position === index ? 0 : -1,
              onClick: () => language.set(sample.label),
            },
            sample.label,
          ),
        );
        const bar = { ref: list, role: 'tablist', 'aria-label': 'Language', onKeyDown };
        const button = {
          type: 'button',
          className: 'samples-copy',
          'aria-label': `Copy the sample for ${label}`,
          onClick: () => copy(source).then((isCopied) => setCopied(isCopied ? source : '')),
        };
        const panel = {
          id: `${id}-panel`,
          role: 'tabpanel',
          className: 'samples-panel',
          'aria-labelledby': `${id}-tab-${index}`,
          tabIndex: 0,
        };
        return h(
          'section',
          { className: 'samples', 'aria-label': 'Samples' },
          h(
            'div',
            { className: 'samples-bar' },
            h('div', { ...bar, className: 'samples-tabs' }, tabs),
            h('span', { role: 'status' }, copied === source ? 'Copied' : ''),
            h('button', button, 'Copy'),
          ),
          h('pre', panel, h('code', null, source)),
        );
      }
    },
  },
};

/** Shows the first field of the dialog, where all fields ask for the focus and the last one gets it. */
const dialogPlugin = {
  wrapComponents: {
    /**
     * @param {any} Popup the component of Swagger UI
     * @param {{ React: any }} system
     */
    authorizationPopup: (Popup, { React }) =>
      /** @param {object} props */
      function PopupFromTheTop(props) {
        React.useEffect(() => {
          const dialog = document.querySelector('.modal-ux-content');
          dialog?.querySelector('input')?.focus({ preventScroll: true });
          dialog?.scrollTo(0, 0);
        }, []);
        return React.createElement(Popup, props);
      },
  },
};

/** Dark or light as the browser prefers; older versions of Swagger UI are light. */
const dark = matchMedia('(prefers-color-scheme: dark)');
const showColors = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', showColors);
showColors();

/** @type {SwaggerUi} */
const ui = /** @type {any} */ (globalThis).SwaggerUIBundle({
  url: new URL('openapi.json', import.meta.url).href,
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  plugins: [samplesPlugin, dialogPlugin],
  // Keeps the browser from adding its own credentials, for which it would show a login dialog at each 401.
  requestInterceptor: (/** @type {object} */ request) =>
    Object.assign(request, { credentials: 'omit' }),
  // Uses the tokens of an answer for the next requests.
  responseInterceptor: (/** @type {PageAnswer} */ answer) => {
    const tokens = answer.obj ?? {};
    if (tokens.access_token) ui.preauthorizeApiKey('accessToken', tokens.access_token);
    if (tokens.client_token) ui.preauthorizeApiKey('clientToken', tokens.client_token);
    if (tokens.refresh_token) {
      const body = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token };
      const value = JSON.stringify(body, null, 2);
      ui.oas3Actions.setRequestBodyValue({ value, pathMethod: ['/v0/tokens', 'post'] });
    }
    return answer;
  },
});

// A link from one operation to another opens it on this page; Swagger UI would open another one.
document.addEventListener('click', (event) => {
  const link = /** @type {Element} */ (event.target).closest('.renderedMarkdown a[href^="#/"]');
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  location.hash = link.hash;
  ui.layoutActions.parseDeepLinkHash(link.hash);
});
