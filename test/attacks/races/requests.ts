import { DEVICE_REQUESTS } from "./device-requests.ts";
import type { Part, Request } from "./request.ts";
import { USER_REQUESTS } from "./user-requests.ts";

/** Every request that changes something about one user. Add a row for each new one. */
export const REQUESTS: Request[] = [...DEVICE_REQUESTS, ...USER_REQUESTS];

/** The parts of a user that one request writes and the other reads or writes. */
export function partsMet(one: Request, other: Request): Part[] {
  const touched = ({ writes, reads = [] }: Request) => [...writes, ...reads];
  const met = (a: Request, b: Request) => a.writes.filter((part) => touched(b).includes(part));
  return [...new Set([...met(one, other), ...met(other, one)])];
}
