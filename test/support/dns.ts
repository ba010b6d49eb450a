import type { LookupAddress } from "node:dns";
import type { Resolve } from "../../providers/webhook/public-addresses.ts";

/** A DNS double: each question gets the next list, the last list repeats. Records the questions. */
export function dns(...answers: (readonly string[])[]) {
  const asked: string[] = [];
  const resolve = ((host: string, options: { all?: boolean }, done: unknown) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    const found: LookupAddress[] = answer.map((address) => ({
      address,
      family: address.includes(":") ? 6 : 4,
    }));
    const tell = done as (error: null, found: LookupAddress[] | string, family?: number) => void;
    if (options.all) tell(null, found);
    else tell(null, found[0]?.address ?? "", found[0]?.family);
  }) as unknown as Resolve;
  return { resolve, asked };
}
