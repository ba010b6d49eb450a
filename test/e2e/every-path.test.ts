// Drives each flow over HTTP to every place by a shortest path. All paths: npm run test:paths
import { everyPath } from "./paths/every-path.ts";

everyPath("shortest");
