import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/events/event-types.ts";
import { newId } from "../store/ids.ts";
import type { NewUserEvent } from "../store/postgres/events/events.ts";
import {
  type EventFilter,
  type EventQuery,
  exportEvents,
  listEvents,
  type Reader,
  type ShownEvent,
  showEvents,
} from "../store/postgres/events/read-events.ts";
import type { User } from "../store/postgres/schema.ts";
import type { CoreDeps } from "./deps.ts";

/** The user an event is about. Unless the caller names another actor, they are its actor too. */
export type Subject = { userId: string; accountId: string };

/** A user as the subject of events, and as the owner of flows. */
export const subjectOf = ({ id: userId, accountId }: Pick<User, "id" | "accountId">): Subject => ({
  userId,
  accountId,
});

/** An audit event of what a user did over HTTP. */
export function userEvent(
  { clock }: Pick<CoreDeps, "clock">,
  { userId, accountId }: Subject,
  type: EventType,
  origin: ClientInfo,
  detail: Record<string, unknown> = {},
): NewUserEvent {
  return {
    key: `${type}/${newId()}`,
    at: new Date(clock.now()),
    type,
    accountId,
    userId,
    actorId: userId,
    ...origin,
    detail,
  };
}

/** An audit event of what an administrator did to their account; it is about no user. */
export function accountEvent(
  deps: Pick<CoreDeps, "clock">,
  administrator: Subject,
  type: EventType,
  origin: ClientInfo,
  detail: Record<string, unknown>,
) {
  return { ...userEvent(deps, administrator, type, origin, detail), userId: null };
}

/**
 * A page of the audit trail, newest first, as this reader may see it. `next` is the next page's
 * cursor.
 */
export async function listAudit({ db }: Pick<CoreDeps, "db">, query: EventQuery, reader: Reader) {
  const { events, next } = await listEvents(db, query);
  return { events: await showEvents(db, events, reader), next: next ?? null };
}

/** What ends an export: a check before each page that throws, or the time; and what follows. */
type Guard = { mayGoOn(): Promise<void>; lastsMs: number; onEnd(): void };

/**
 * All matching events as NDJSON, oldest first, as this reader may see them. The stream makes pages
 * only as fast as they are read, so a long export needs no more memory. Throws if the store is down
 * at the start; if it fails later, or the guard ends it, the stream breaks off.
 */
export async function auditFile(
  { db }: Pick<CoreDeps, "db">,
  filter: EventFilter,
  reader: Reader,
  guard?: Guard,
): Promise<ReadableStream<Uint8Array>> {
  const pages = exportEvents(db, filter);
  let page = await pages.next();
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    guard?.onEnd();
    void pages.return(undefined);
  };
  return new ReadableStream({
    start(controller) {
      if (!guard) return;
      timer = setTimeout(() => {
        controller.error(new Error("The export took too long"));
        end();
      }, guard.lastsMs);
      timer.unref();
    },
    async pull(controller) {
      try {
        await guard?.mayGoOn();
        if (ended) return;
        if (!page.done) {
          const lines = toNdjson(await showEvents(db, page.value, reader));
          controller.enqueue(encoder.encode(lines));
          page = await pages.next();
        }
        if (!page.done) return;
        controller.close();
        end();
      } catch (error) {
        end();
        throw error;
      }
    },
    cancel: end,
  });
}

/** One JSON line per event. */
const toNdjson = (events: readonly ShownEvent[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join("");
