import { test } from "vitest";
import { limit } from "../support/limits.ts";
import { used } from "../support/used.ts";
import { drill } from "./drill.ts";
import { installWithProvider } from "./outages.ts";

const service = used(installWithProvider, limit(120_000));

// `npm run test:drill` goes through every combination.
test(
  "PostgreSQL comes back older than Temporal, Redis comes back empty, and everybody can go on",
  () => drill(service, { postgresql: "earlier", redis: "empty", temporal: "kept" }),
  limit(180_000),
);
