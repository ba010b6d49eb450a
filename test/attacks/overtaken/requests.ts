import { DEVICE_REQUESTS } from "./device-requests.ts";
import type { Request } from "./request.ts";
import { USER_REQUESTS } from "./user-requests.ts";

/** Every request that changes something of one user. */
export const REQUESTS: Request[] = [...DEVICE_REQUESTS, ...USER_REQUESTS];
