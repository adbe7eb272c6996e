import { useEffect, useState } from 'preact/hooks';
import { call, type RefusedError } from '../api.js';
import { useStore } from '../store.js';

/** What the control API has at a path, or its message if that is gone. */
export interface Answer<Content> {
  content: Content | undefined;
  gone: string;
}

/**
 * Loads what the control API has at a path, and loads it again when the reason changes, or anything may
 * have changed. While the sandbox does not answer, the page shows what it has.
 */
export function useAnswer<Content>(path: string, reason: unknown): Answer<Content> {
  const [answer, setAnswer] = useState<Answer<Content>>({ content: undefined, gone: '' });
  const connection = useStore((state) => state.connection);
  const reloads = useStore((state) => state.reloads);
  useEffect(() => {
    let isCurrent = true;
    call<Content>('GET', path).then(
      (content) => isCurrent && setAnswer({ content, gone: '' }),
      ({ message, status }: RefusedError) => {
        if (isCurrent && status !== 0) setAnswer({ content: undefined, gone: message });
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [path, reason, connection, reloads]);
  return answer;
}
