import type { TestProject } from "vitest/node";
import { startRedisCluster } from "./redis-cluster.ts";
import provideServices from "./services.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Set when tests run on a Redis Cluster, with two gateways and two workers. */
    redisClusterUrl?: string;
  }
}

/** Vitest's global set-up of `npm run test:cluster`: the usual services, and a Redis Cluster. */
export default async function startClusterServices(project: TestProject) {
  const stop = await provideServices(project);
  const cluster = await startRedisCluster();
  project.provide("redisClusterUrl", cluster.url);
  return async () => {
    await cluster.stop();
    await stop();
  };
}
