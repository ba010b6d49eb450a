import { Hono } from "hono";
import type { CoreDeps } from "../core/deps.ts";
import { keptMessages } from "../store/redis/messages/outbox.ts";
import { PhonePage } from "./phone.tsx";

/**
 * The development phone's messages. Mounted only with the outbox provider and never in production.
 */
export function outbox({ redis }: Pick<CoreDeps, "redis">) {
  const app = new Hono();
  app.get("/dev/outbox", async (c) => c.json(await keptMessages(redis, c.req.query("to"))));
  app.get("/dev/phone", async (c) =>
    c.html(<PhonePage messages={await keptMessages(redis, c.req.query("to"))} />),
  );
  return app;
}
