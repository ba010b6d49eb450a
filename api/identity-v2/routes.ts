import type { Context } from "hono";

type Handler = (c: Context) => Promise<Response>;

/** Path -> method -> what answers it. */
export type Routes = Record<string, Partial<Record<"GET" | "POST" | "PUT" | "DELETE", Handler>>>;
