import { useEffect } from 'preact/hooks';
import { update, useStore } from '../store.js';

const NOTICE_MS = 6_000;

/**
 * What the last action did. A failure stays until it is dismissed. A dialog has its own, since the
 * rest of the page cannot be reached while it is open.
 */
export function Notice() {
  const notice = useStore((state) => state.notice);
  useEffect(() => {
    if (notice === undefined || notice.failed) return;
    const timer = setTimeout(dismiss, NOTICE_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notice" role={notice?.failed ? 'alert' : 'status'}>
      {notice && (
        <p class={notice.failed ? 'notice-failed' : ''}>
          {notice.text}
          <button type="button" class="button-quiet" onClick={dismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

export function dismiss(): void {
  update(() => ({ notice: undefined }));
}
