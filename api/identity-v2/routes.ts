import type { Context } from "hono";

type Handler = (c: Context) => Promise<Response>;

/** Path -> HTTP method -> handler. */
export type Routes = Record<string, Partial<Record<"GET" | "POST" | "PUT" | "DELETE", Handler>>>;
