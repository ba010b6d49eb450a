import { DEVICE_REQUESTS } from "./device-requests.ts";
import type { Part, Request } from "./request.ts";
import { USER_REQUESTS } from "./user-requests.ts";

/** Every request that changes something of one user. A new one takes a row. */
export const REQUESTS: Request[] = [...DEVICE_REQUESTS, ...USER_REQUESTS];

/** Whether one of two requests writes what the other reads or writes. */
export function meet(one: Request, other: Request): boolean {
  const touches = ({ writes, reads = [] }: Request, parts: Part[]) =>
    [...writes, ...reads].some((part) => parts.includes(part));
  return touches(one, other.writes) || touches(other, one.writes);
}
