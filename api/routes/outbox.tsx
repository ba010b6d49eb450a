import type { OpenAPIHono } from "@hono/zod-openapi";
import { PhonePage } from "../../portal/phone.tsx";
import { keptMessages } from "../../store/redis/outbox.ts";
import type { Deps } from "../deps.ts";

/** The development phone's messages. Mounted only with the outbox gateway and never in production. */
export function outboxRoutes(app: OpenAPIHono, { redis }: Deps) {
  app.get("/dev/outbox", async (c) => c.json(await keptMessages(redis, c.req.query("to"))));
  app.get("/dev/phone", async (c) =>
    c.html(<PhonePage messages={await keptMessages(redis, c.req.query("to"))} />),
  );
}
