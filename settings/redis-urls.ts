/** Text of a URL without these characters; `%` only where two hexadecimal digits follow. */
const without = (characters: string) => `(?:[^%${characters}]|%[\\da-fA-F]{2})*`;

const USER = `(?:(${without(":@/")}):(${without("@/")})@)?`;
const HOSTS = "([^@/?#]+)";

/** `redis+cluster://[user:password@]host:port[,host:port...]`, `rediss+cluster` over TLS. */
export const CLUSTER_URL = new RegExp(`^(rediss?)\\+cluster://${USER}${HOSTS}$`);

/**
 * `redis+sentinel://[user:password@]host:port[,host:port...]/master[?sentinelPassword=...]`,
 * `rediss+sentinel` over TLS. User and password are the servers'.
 */
export const SENTINEL_URL = new RegExp(
  `^(rediss?)\\+sentinel://${USER}${HOSTS}/(?=[^?])(${without("/?")})(?:\\?sentinelPassword=(${without("&")}))?$`,
);

/** Whether this can name a Redis, the nodes of a cluster, or Sentinels and their master. */
export const isRedisUrl = (url: string): boolean =>
  /^rediss?:\/\//.test(url) || CLUSTER_URL.test(url) || SENTINEL_URL.test(url);
