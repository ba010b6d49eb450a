type Attributes = Record<string, string | undefined>;

/** What a span is about. Never values, keys or addresses: only names that the code has. */
type About = { name: string; attributes: Attributes };

type OpenSpan = {
  /** Runs the work with this span as the parent of further spans. */
  within<T>(work: () => T): T;
  end(failed: boolean, more?: Attributes): void;
};

let begin: ((about: About) => OpenSpan | undefined) | undefined;

/** Makes spans from now on. Called once, when tracing starts. */
export function makeSpansBy(make: typeof begin): void {
  begin = make;
}

/**
 * Begins a span of a call to another system; undefined if nothing traces here. `about` is only
 * called if a span can be made.
 */
export const beginSpan = (about: () => About): OpenSpan | undefined => begin?.(about());

/** Runs the work in a span, if traces are made. `told` adds attributes from the result. */
export async function inSpan<T>(
  about: () => About,
  work: () => Promise<T>,
  told?: (result: T) => Attributes,
): Promise<T> {
  const span = beginSpan(about);
  if (!span) return work();
  try {
    const result = await span.within(work);
    span.end(false, told?.(result));
    return result;
  } catch (error) {
    span.end(true);
    throw error;
  }
}
