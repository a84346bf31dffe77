// Generated from openapi.json by `npm run generate:api-types`.

export interface paths {
    "/ok": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    check_db?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    format?: "prometheus" | "json";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        name?: string | null;
                        description?: string | null;
                        graph_id: string;
                        /** Format: uuid */
                        assistant_id?: string | null;
                        /** @enum {string|null} */
                        if_exists?: "raise" | "do_nothing" | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Assistant"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        graph_id?: string;
                        name?: string;
                        metadata?: {
                            [key: string]: unknown;
                        };
                        limit?: number;
                        offset?: number;
                        /** @enum {string} */
                        sort_by?: "assistant_id" | "graph_id" | "name" | "created_at" | "updated_at";
                        /** @enum {string} */
                        sort_order?: "asc" | "desc";
                        select?: ("assistant_id" | "graph_id" | "version" | "name" | "description" | "config" | "context" | "metadata" | "created_at" | "updated_at")[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Assistant"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        graph_id?: string;
                        name?: string;
                        metadata?: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": number;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{assistantId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Assistant"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: {
                    delete_threads?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        name?: string | null;
                        description?: string | null;
                        graph_id?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Assistant"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/assistants/{assistantId}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        limit?: number;
                        offset?: number;
                        metadata?: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{assistantId}/latest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        version: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Assistant"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{assistantId}/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    xray?: (boolean | ("0" | "1" | "true" | "false" | "yes" | "no")) | number;
                };
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{assistantId}/schemas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{assistantId}/subgraphs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    recurse?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assistants/{assistantId}/subgraphs/{namespace}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    recurse?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path: {
                    assistantId: string;
                    namespace: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** Format: uuid */
                        thread_id?: string | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        /** @enum {string|null} */
                        if_exists?: "raise" | "do_nothing" | null;
                        supersteps?: {
                            updates: {
                                values?: unknown;
                                command?: {
                                    update?: ({
                                        [key: string]: unknown;
                                    } | (string | unknown)[][]) | null;
                                    resume?: unknown;
                                    goto?: ((string | {
                                        node: string;
                                        input?: unknown;
                                        args?: unknown;
                                    }) | (string | {
                                        node: string;
                                        input?: unknown;
                                        args?: unknown;
                                    })[]) | null;
                                } | null;
                                as_node: string;
                            }[];
                        }[] | null;
                        ttl?: (number | {
                            ttl: number;
                            /** @enum {string|null} */
                            strategy?: "delete" | "keep_latest" | null;
                        }) | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Thread"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        ids?: string[];
                        metadata?: {
                            [key: string]: unknown;
                        };
                        values?: {
                            [key: string]: unknown;
                        };
                        /** @enum {string} */
                        status?: "idle" | "busy" | "interrupted" | "error";
                        /** @description counts all threads. By default, a total above 10,000 is an estimate */
                        exact?: boolean;
                        limit?: number;
                        offset?: number;
                        /** @enum {string} */
                        sort_by?: "thread_id" | "status" | "created_at" | "updated_at" | "state_updated_at";
                        /** @enum {string} */
                        sort_order?: "asc" | "desc";
                        select?: ("thread_id" | "status" | "metadata" | "config" | "values" | "interrupts" | "created_at" | "updated_at" | "state_updated_at" | "context")[];
                        extract?: {
                            [key: string]: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Thread"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        ids?: string[];
                        metadata?: {
                            [key: string]: unknown;
                        };
                        values?: {
                            [key: string]: unknown;
                        };
                        /** @enum {string} */
                        status?: "idle" | "busy" | "interrupted" | "error";
                        /** @description counts all threads. By default, a total above 10,000 is an estimate */
                        exact?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": number;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/prune": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        thread_ids: string[];
                        /**
                         * @default delete
                         * @enum {string}
                         */
                        strategy?: "delete" | "keep_latest";
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            pruned_count: number;
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @description ttl: adds when the thread expires */
                    include?: string[];
                };
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** Format: uuid */
                            thread_id: string;
                            /** @enum {string} */
                            status: "idle" | "busy" | "interrupted" | "error";
                            metadata: {
                                [key: string]: unknown;
                            };
                            config: {
                                [key: string]: unknown;
                            };
                            values: unknown;
                            interrupts: {
                                [key: string]: unknown;
                            };
                            /** Format: date-time */
                            created_at: string;
                            /** Format: date-time */
                            updated_at: string;
                            /** Format: date-time */
                            state_updated_at: string;
                            ttl?: {
                                /** @enum {string} */
                                strategy: "delete" | "keep_latest";
                                ttl_minutes: number;
                                /** Format: date-time */
                                expires_at: string;
                            };
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        ttl?: (number | {
                            ttl: number;
                            /** @enum {string|null} */
                            strategy?: "delete" | "keep_latest" | null;
                        }) | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Thread"];
                    };
                };
                /** @description Default Response */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/threads/{threadId}/storage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadStorage"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/copy": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Thread"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    subgraphs?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadState"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        values?: ({
                            [key: string]: unknown;
                        } | unknown[]) | null;
                        as_node?: string | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        metadata: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/threads/{threadId}/state/{checkpointId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    subgraphs?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path: {
                    threadId: string;
                    checkpointId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadState"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/state/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        checkpoint: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        };
                        subgraphs?: (boolean | ("0" | "1" | "true" | "false" | "yes" | "no")) | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadState"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    before?: string;
                };
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadState"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        limit?: number;
                        before?: (string | {
                            configurable: {
                                checkpoint_id: string;
                            };
                        } | {
                            checkpoint_id: string;
                        }) | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadState"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/interrupts/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        graph_id?: string;
                        /** @description an assistant's id, or a graph's id for its default assistant */
                        assistant_id?: string;
                        /** Format: uuid */
                        thread_id?: string;
                        created_since?: string;
                        /** @description questions that were asked before this time */
                        created_until?: string;
                        deadline_since?: string;
                        /** @description questions whose deadline is before this time */
                        deadline_until?: string;
                        limit?: number;
                        offset?: number;
                        /**
                         * @description with deadline, only questions that have one are found
                         * @enum {string}
                         */
                        sort_by?: "created_at" | "deadline";
                        /** @enum {string} */
                        sort_order?: "asc" | "desc";
                        select?: ("thread_id" | "run_id" | "graph_id" | "assistant_id" | "task_id" | "interrupt_id" | "value" | "response_schema" | "created_at" | "deadline")[];
                        /** @description counts all questions. By default, a total above 10,000 is an estimate */
                        exact?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Interrupt"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @description true: only plans with a subtask that is pending or running. false: only all others */
                    active?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                    type?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ListedPlan"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /**
                         * Format: uuid
                         * @description default: a new id
                         */
                        plan_id?: string;
                        /**
                         * @description a word of your own, such as fan_out
                         * @default plan
                         */
                        type?: string;
                        title?: string | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        subtasks: {
                            /** @description unique in the plan */
                            id: string;
                            /** @description default: the id */
                            title?: string | null;
                            /**
                             * @description ids of subtasks that must be done before
                             * @default []
                             */
                            depends_on?: string[];
                            /** @description who does it */
                            agent?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                        }[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{planId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    planId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Plan"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    planId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/plans/{planId}/tasks/{taskId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    planId: string;
                    taskId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "pending" | "running" | "done" | "failed" | "skipped";
                        result?: unknown;
                        error?: string | null;
                        agent?: string | null;
                        /** @description makes the change even if dependencies are not done or the status does not allow it */
                        force?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PlanTask"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/threads/{threadId}/plan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ThreadPlan"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Run"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    offset?: number;
                    status?: "pending" | "running" | "success" | "error" | "timeout" | "interrupted";
                    select?: ("run_id" | "thread_id" | "assistant_id" | "metadata" | "status" | "kwargs" | "multitask_strategy" | "created_at" | "updated_at" | "waiting_for_graph" | "langsmith_session_name")[] | ("run_id" | "thread_id" | "assistant_id" | "metadata" | "status" | "kwargs" | "multitask_strategy" | "created_at" | "updated_at" | "waiting_for_graph" | "langsmith_session_name");
                };
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Run"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Run"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                    };
                };
            };
            responses: {
                /** @description The events of the run, until it is over. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                    };
                };
            };
            responses: {
                /** @description The events of the run, until it is over. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id: string;
                        input?: unknown;
                        command?: {
                            update?: ({
                                [key: string]: unknown;
                            } | (string | unknown)[][]) | null;
                            resume?: unknown;
                            goto?: ((string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            }) | (string | {
                                node: string;
                                input?: unknown;
                                args?: unknown;
                            })[]) | null;
                        } | null;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        checkpoint?: {
                            checkpoint_id?: string | null;
                            checkpoint_ns?: string | null;
                            checkpoint_map?: {
                                [key: string]: unknown;
                            } | null;
                        } | null;
                        checkpoint_id?: string | null;
                        webhook?: string | null;
                        strict_resume?: boolean | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        on_disconnect?: "cancel" | "continue" | null;
                        /** @enum {string|null} */
                        on_completion?: "delete" | "keep" | "complete" | "continue" | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        after_seconds?: number | null;
                        /** @enum {string|null} */
                        if_not_exists?: "reject" | "create" | null;
                        feedback_keys?: string[] | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                        /** Format: uuid */
                        thread_id?: string | null;
                    }[];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Run"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        status?: ("pending" | "running" | "success" | "error" | "timeout" | "interrupted")[] | ("pending" | "running" | "success" | "error" | "timeout" | "interrupted");
                        graph_id?: string;
                        /** @description an assistant's id, or a graph's id for its default assistant */
                        assistant_id?: string;
                        /** Format: uuid */
                        thread_id?: string;
                        metadata?: {
                            [key: string]: unknown;
                        };
                        /** @description text that the run's error contains, in upper or lower case */
                        error?: string;
                        created_since?: string;
                        /** @description runs that were created before this time */
                        created_until?: string;
                        updated_since?: string;
                        /** @description runs that changed last before this time */
                        updated_until?: string;
                        limit?: number;
                        offset?: number;
                        /** @enum {string} */
                        sort_by?: "created_at" | "updated_at";
                        /** @enum {string} */
                        sort_order?: "asc" | "desc";
                        select?: ("run_id" | "thread_id" | "assistant_id" | "metadata" | "status" | "kwargs" | "multitask_strategy" | "created_at" | "updated_at" | "waiting_for_graph" | "graph_id" | "attempt" | "worker_id" | "due_at" | "started_at" | "ended_at" | "duration_ms" | "error")[];
                        /** @description counts all runs. By default, a total above 10,000 is an estimate */
                        exact?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FoundRun"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RunStats"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/{runId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Run"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/{runId}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Timeline"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/{runId}/join": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    cancel_on_disconnect?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                    stream_mode?: ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools");
                };
                header?: never;
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/{runId}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    cancel_on_disconnect?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                    stream_mode?: ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools");
                };
                header?: {
                    "last-event-id"?: string;
                };
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The events of the run, until it is over. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{runId}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    cancel_on_disconnect?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                    stream_mode?: ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools");
                };
                header?: {
                    "last-event-id"?: string;
                };
                path: {
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The events of the run, until it is over. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/feedback/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    score?: string;
                    value?: string;
                    comment?: string;
                    correction?: string;
                };
                header?: never;
                path: {
                    token: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FeedbackTaken"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    token: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        score?: (number | boolean) | null;
                        value?: (string | number | boolean | {
                            [key: string]: unknown;
                        }) | null;
                        comment?: string | null;
                        correction?: (string | {
                            [key: string]: unknown;
                        }) | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FeedbackTaken"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/{runId}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FeedbackWithUrl"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/feedback/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** Format: uuid */
                        run_id?: string;
                        /** Format: uuid */
                        thread_id?: string;
                        /** @description an assistant's id, or a graph's id for its default assistant */
                        assistant_id?: string;
                        graph_id?: string;
                        key?: string;
                        score_min?: number;
                        score_max?: number;
                        given_since?: string;
                        /** @description feedback that was given before this time */
                        given_until?: string;
                        limit?: number;
                        offset?: number;
                        /** @description counts all of it. By default, a total above 10,000 is an estimate */
                        exact?: boolean;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Feedback"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/{runId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: {
                    wait?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                    action?: "interrupt" | "rollback";
                };
                header?: never;
                path: {
                    threadId: string;
                    runId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: {
                    action?: "interrupt" | "rollback";
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @enum {string|null} */
                        status?: "pending" | "running" | "all" | null;
                        /** Format: uuid */
                        thread_id?: string | null;
                        run_ids?: string[] | null;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/crons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        input?: unknown;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        webhook?: string | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                        schedule: string;
                        timezone?: string | null;
                        end_time?: string | null;
                        enabled?: boolean | null;
                        /** @enum {string|null} */
                        on_run_completed?: "delete" | "keep" | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        assistant_id: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cron"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/runs/crons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        input?: unknown;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        webhook?: string | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                        schedule: string;
                        timezone?: string | null;
                        end_time?: string | null;
                        enabled?: boolean | null;
                        /** @enum {string|null} */
                        on_run_completed?: "delete" | "keep" | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        assistant_id: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cron"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/crons/{cronId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    cronId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cron"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    cronId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    cronId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        input?: unknown;
                        config?: ({
                            tags?: string[];
                            recursion_limit?: number;
                            max_concurrency?: number | null;
                            run_name?: string | null;
                            metadata?: {
                                [key: string]: unknown;
                            } | null;
                            configurable?: {
                                checkpoint_id?: string | null;
                                checkpoint_ns?: string | null;
                                checkpoint_map?: {
                                    [key: string]: unknown;
                                } | null;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        }) | null;
                        context?: {
                            [key: string]: unknown;
                        } | null;
                        webhook?: string | null;
                        interrupt_before?: ("*" | string[]) | null;
                        interrupt_after?: ("*" | string[]) | null;
                        stream_mode?: (("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")[] | ("values" | "messages" | "messages-tuple" | "updates" | "events" | "tasks" | "checkpoints" | "debug" | "custom" | "tools")) | null;
                        stream_subgraphs?: boolean | null;
                        stream_resumable?: boolean | null;
                        /** @enum {string|null} */
                        multitask_strategy?: "reject" | "enqueue" | "interrupt" | "rollback" | null;
                        /** @enum {string|null} */
                        durability?: "sync" | "async" | "exit" | null;
                        checkpoint_during?: boolean | null;
                        priority?: number | null;
                        schedule?: string | null;
                        timezone?: string | null;
                        end_time?: string | null;
                        enabled?: boolean | null;
                        /** @enum {string|null} */
                        on_run_completed?: "delete" | "keep" | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cron"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        trace?: never;
    };
    "/runs/crons/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id?: string;
                        /** Format: uuid */
                        thread_id?: string;
                        enabled?: boolean;
                        metadata?: {
                            [key: string]: unknown;
                        };
                        limit?: number;
                        offset?: number;
                        /** @enum {string} */
                        sort_by?: "cron_id" | "assistant_id" | "thread_id" | "created_at" | "updated_at" | "next_run_date" | "end_time";
                        /** @enum {string} */
                        sort_order?: "asc" | "desc";
                        select?: ("cron_id" | "assistant_id" | "thread_id" | "schedule" | "timezone" | "end_time" | "enabled" | "on_run_completed" | "payload" | "metadata" | "user_id" | "next_run_date" | "created_at" | "updated_at" | "now")[];
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Cron"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/crons/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        assistant_id?: string;
                        /** Format: uuid */
                        thread_id?: string;
                        enabled?: boolean;
                        metadata?: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": number;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/dead": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeadWebhook"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        run_ids?: string[] | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            run_ids: string[];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    kind?: "run" | "webhook" | "cron" | "task" | "partition" | "message" | "compensation";
                    /** @description the id of a graph */
                    graph?: string;
                    /** @description letters whose last failure is not before this time */
                    since?: string;
                    state?: "dead" | "redriving" | "redriven" | "discarded";
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeadLetter"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/{letterId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    letterId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WholeDeadLetter"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/redrive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        ids?: string[] | null;
                        /** @description {} matches all dead letters that the caller may see */
                        filter?: {
                            /** @enum {string} */
                            kind?: "run" | "webhook" | "cron" | "task" | "partition" | "message" | "compensation";
                            /** @description the id of a graph */
                            graph?: string;
                            /** @description letters whose last failure is not before this time */
                            since?: string;
                        } | null;
                        /** @description an input that replaces that of the letters */
                        edit?: unknown;
                        /**
                         * @description how many of the runs may be open at once
                         * @default 10
                         */
                        parallel?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description the letters that were dead and have changed */
                            ids: string[];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        ids?: string[] | null;
                        /** @description {} matches all dead letters that the caller may see */
                        filter?: {
                            /** @enum {string} */
                            kind?: "run" | "webhook" | "cron" | "task" | "partition" | "message" | "compensation";
                            /** @description the id of a graph */
                            graph?: string;
                            /** @description letters whose last failure is not before this time */
                            since?: string;
                        } | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description the letters that were dead and have changed */
                            ids: string[];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Worker"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/workers/halt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/workers/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["QueueLimit"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/limits/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            name: string;
                            graphs: string[];
                            total: number | null;
                            per_key: number | null;
                            rate: string | null;
                            max_waiting: number | null;
                            daily_tokens: number | null;
                            daily_dollars: number | null;
                            shadow: boolean;
                            configured: {
                                [key: string]: unknown;
                            } | null;
                            override: {
                                [key: string]: unknown;
                            } | null;
                            running: number;
                            waiting: number;
                            refused: number;
                            keys: components["schemas"]["KeyOfLimit"][];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Graphs whose runs the limit counts. Default: the graph with the limit's name. */
                        graphs?: string[] | null;
                        /** @description How many of the runs may run at once. 0 pauses them. */
                        total?: number | null;
                        /** @description How many runs of one queue key may run at once. */
                        per_key?: number | null;
                        /** @description How many of the runs may start in a time, such as `100/m`. The units are `s`, `m`, `h` and `d`. */
                        rate?: string | null;
                        /** @description How many runs of one queue key may wait. A request beyond that gets 429. */
                        max_waiting?: number | null;
                        /** @description How many tokens the runs of one queue key may use on a day (UTC). When they are used, a request for a new run gets 402. */
                        daily_tokens?: number | null;
                        /** @description How many dollars the runs of one queue key may cost on a day (UTC). When they are spent, a request for a new run gets 402. */
                        daily_dollars?: number | null;
                        /** @description `true`: the limit only counts what it would refuse. */
                        shadow?: boolean | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            name: string;
                            graphs: string[];
                            total: number | null;
                            per_key: number | null;
                            rate: string | null;
                            max_waiting: number | null;
                            daily_tokens: number | null;
                            daily_dollars: number | null;
                            shadow: boolean;
                            configured: {
                                [key: string]: unknown;
                            } | null;
                            override: {
                                [key: string]: unknown;
                            } | null;
                            running: number;
                            waiting: number;
                            refused: number;
                            keys: components["schemas"]["KeyOfLimit"][];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @description the id of a graph. Default: all graphs */
                    graph?: string;
                    /** @description the first hour that counts. Default: the hour that began 24 hours ago */
                    since?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ServiceStats"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/resources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Resource"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/resources/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Number of units that nodes can hold at once. */
                        pool?: number;
                        /** @description Number of tokens in a unit of time, such as `"1000/m"`. The units are `s`, `m`, `h` and `d`. */
                        rate?: string;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Resource"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @description the parts to sum by, separated by commas: some of day, key, graph, model */
                    by?: string;
                    /** @description the first day; the default is 29 days ago */
                    since?: string;
                    /** @description the last day; the default is today */
                    until?: string;
                    /** @description only runs of this queue key */
                    key?: string;
                    /** @description only runs of this graph */
                    graph?: string;
                    /** @description only calls of this model */
                    model?: string;
                    limit?: number;
                    offset?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UsageSum"][];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/commands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        id: number;
                        method: string;
                        params?: unknown;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            type: "success" | "error";
                            id: number | null;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/stream/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: {
                    "last-event-id"?: string;
                };
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        channels: string[];
                        namespaces?: string[][] | null;
                        depth?: number | null;
                        since?: number | null;
                    };
                };
            };
            responses: {
                /** @description The events of the thread's runs, without end. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/threads/{threadId}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    stream_mode?: ("run_modes" | "lifecycle" | "state_update")[] | ("run_modes" | "lifecycle" | "state_update");
                    stream_modes?: ("run_modes" | "lifecycle" | "state_update")[] | ("run_modes" | "lifecycle" | "state_update");
                };
                header?: {
                    "last-event-id"?: string;
                };
                path: {
                    threadId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The events of the thread's runs, without end. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/a2a/{assistantId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/a2a/{assistantId}/.well-known/agent-card.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    assistantId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/agent-card.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    assistant_id?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mcp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            /** @description one JSON-RPC message */
            requestBody: {
                content: {
                    "application/json": {
                        jsonrpc?: unknown;
                        id?: unknown;
                        method?: unknown;
                        params?: unknown;
                        result?: unknown;
                        error?: unknown;
                    };
                };
            };
            responses: {
                /** @description The response as JSON, or as a stream if notifications come before it. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                        "text/event-stream": string;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @enum {string} */
                            object: "list";
                            data: ({
                                id: string;
                                /** @enum {string} */
                                object: "model";
                                created: number;
                                owned_by: string;
                            } & {
                                [key: string]: unknown;
                            })[];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    model: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            id: string;
                            /** @enum {string} */
                            object: "model";
                            created: number;
                            owned_by: string;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        model: string;
                        messages: {
                            /** @enum {string} */
                            role: "system" | "developer" | "user" | "assistant" | "tool";
                            content?: (string | ({
                                type: string;
                                text?: string;
                            } & {
                                [key: string]: unknown;
                            })[]) | null;
                            name?: string | null;
                            tool_calls?: {
                                id: string;
                                /** @enum {string} */
                                type?: "function";
                                function: {
                                    name: string;
                                    arguments: string;
                                };
                            }[] | null;
                            tool_call_id?: string | null;
                        }[];
                        stream?: boolean | null;
                        stream_options?: {
                            include_usage?: boolean | null;
                        } | null;
                        n?: number | null;
                        tools?: ({
                            type: string;
                            function?: {
                                name: string;
                            } & {
                                [key: string]: unknown;
                            };
                        } & {
                            [key: string]: unknown;
                        })[] | null;
                        tool_choice?: unknown;
                        user?: string | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        model: string;
                        input: string | ({
                            type?: string;
                            role?: string;
                            content?: (string | ({
                                type: string;
                                text?: string;
                            } & {
                                [key: string]: unknown;
                            })[]) | null;
                            call_id?: string;
                            name?: string;
                            arguments?: string;
                            output?: string | ({
                                type: string;
                                text?: string;
                            } & {
                                [key: string]: unknown;
                            })[];
                        } & {
                            [key: string]: unknown;
                        })[];
                        instructions?: string | null;
                        previous_response_id?: string | null;
                        stream?: boolean | null;
                        store?: boolean | null;
                        tools?: {
                            [key: string]: unknown;
                        }[] | null;
                        tool_choice?: unknown;
                        user?: string | null;
                        metadata?: {
                            [key: string]: unknown;
                        } | null;
                        background?: boolean | null;
                        conversation?: unknown;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses/{responseId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    stream?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                    starting_after?: number;
                };
                header?: never;
                path: {
                    responseId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    responseId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses/{responseId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    responseId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/store/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query: {
                    namespace?: string[] | string;
                    key: string;
                    refresh_ttl?: boolean | ("0" | "1" | "true" | "false" | "yes" | "no");
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Item"] | null;
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        namespace: string[];
                        key: string;
                        value: {
                            [key: string]: unknown;
                        };
                        index?: (boolean | string[]) | null;
                        ttl?: number | null;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @default [] */
                        namespace?: string[];
                        key: string;
                    };
                };
            };
            responses: {
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/store/items/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        namespace_prefix?: string[] | null;
                        filter?: {
                            [key: string]: unknown;
                        } | null;
                        query?: string | null;
                        limit?: number;
                        offset?: number;
                        refresh_ttl?: boolean | null;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            items: {
                                namespace: string[];
                                key: string;
                                value: {
                                    [key: string]: unknown;
                                };
                                /** Format: date-time */
                                created_at: string;
                                /** Format: date-time */
                                updated_at: string;
                                score?: number;
                            }[];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/store/namespaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        prefix?: string[] | null;
                        suffix?: string[] | null;
                        max_depth?: number | null;
                        limit?: number;
                        offset?: number;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            namespaces: string[][];
                        };
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/config.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConsoleConfig"];
                    };
                };
                /** @description What is wrong with the request, and what would be right. JSON when asked for, and when fields are named. */
                "4XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                        "application/json": {
                            detail: string;
                            errors?: {
                                field?: string;
                                message?: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Assistant: {
            /** Format: uuid */
            assistant_id: string;
            graph_id: string;
            version: number;
            name: string;
            description: string | null;
            config: {
                [key: string]: unknown;
            };
            context: {
                [key: string]: unknown;
            };
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at?: string;
        };
        Thread: {
            /** Format: uuid */
            thread_id: string;
            /** @enum {string} */
            status: "idle" | "busy" | "interrupted" | "error";
            metadata: {
                [key: string]: unknown;
            };
            config: {
                [key: string]: unknown;
            };
            values: unknown;
            interrupts: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** Format: date-time */
            state_updated_at: string;
        };
        Run: {
            /** Format: uuid */
            run_id: string;
            /** Format: uuid */
            thread_id: string;
            /** Format: uuid */
            assistant_id: string;
            metadata: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "pending" | "running" | "success" | "error" | "timeout" | "interrupted";
            kwargs: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            multitask_strategy: "reject" | "enqueue" | "interrupt" | "rollback";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            waiting_for_graph?: string;
        };
        QueueLimit: {
            name: string;
            graphs: string[];
            total: number | null;
            per_key: number | null;
            rate: string | null;
            max_waiting: number | null;
            daily_tokens: number | null;
            daily_dollars: number | null;
            shadow: boolean;
            configured: {
                [key: string]: unknown;
            } | null;
            override: {
                [key: string]: unknown;
            } | null;
            running: number;
            waiting: number;
            refused: number;
        };
        KeyOfLimit: {
            key: string;
            running: number;
            waiting: number;
        };
        FoundRun: {
            /** Format: uuid */
            run_id: string;
            /** Format: uuid */
            thread_id: string;
            /** Format: uuid */
            assistant_id: string;
            metadata: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            status: "pending" | "running" | "success" | "error" | "timeout" | "interrupted";
            kwargs: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            multitask_strategy: "reject" | "enqueue" | "interrupt" | "rollback";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            waiting_for_graph?: string;
            graph_id: string | null;
            attempt: number;
            /** Format: uuid */
            worker_id: string | null;
            /** Format: date-time */
            due_at: string;
            /** Format: date-time */
            started_at: string | null;
            /** Format: date-time */
            ended_at: string | null;
            duration_ms: number | null;
            error: {
                [key: string]: unknown;
            } | null;
        };
        Timeline: {
            /** Format: uuid */
            run_id: string;
            /** Format: uuid */
            thread_id: string;
            graph_id: string | null;
            /** @enum {string} */
            status: "pending" | "running" | "success" | "error" | "timeout" | "interrupted";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            due_at: string;
            /** Format: date-time */
            started_at: string | null;
            /** Format: date-time */
            ended_at: string | null;
            attempts: {
                attempt: number;
                /** Format: uuid */
                worker_id: string | null;
                host: string | null;
                pid: number | null;
                version: string | null;
                /** Format: date-time */
                claimed_at: string | null;
                /** Format: date-time */
                ended_at: string | null;
                /**
                 * @description null while the attempt goes on, or if nobody recorded its end
                 * @enum {string|null}
                 */
                outcome: "success" | "error" | "timeout" | "interrupted" | "released" | "lost" | "crashed" | null;
                spans: {
                    id: number;
                    /** @description id of the node around it */
                    parent: number | null;
                    /** @enum {string} */
                    kind: "node" | "model" | "tool";
                    /** @description name of the node, the model or the tool */
                    name: string;
                    /** Format: date-time */
                    started_at: string;
                    /** Format: date-time */
                    ended_at: string;
                    /**
                     * @description unfinished: its attempt ended first
                     * @enum {string}
                     */
                    outcome: "success" | "error" | "interrupted" | "unfinished";
                    input_tokens: number | null;
                    output_tokens: number | null;
                    /** @description the cost of a model call; null if its model has no price */
                    dollars: number | null;
                    error: string | null;
                }[];
                /** @description spans that were not kept, because the attempt had more than 5,000 */
                dropped_spans: number;
            }[];
        };
        Interrupt: {
            /** Format: uuid */
            thread_id: string;
            /** Format: uuid */
            run_id: string | null;
            graph_id: string | null;
            assistant_id: string | null;
            task_id: string;
            interrupt_id: string;
            value: unknown;
            response_schema: unknown;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            deadline: string | null;
        };
        Worker: {
            /** Format: uuid */
            worker_id: string;
            host: string;
            pid: number;
            version: string | null;
            graphs: string[] | null;
            slots: number | null;
            running: number;
            alive: boolean;
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            heartbeat_at: string;
        };
        Cron: {
            /** Format: uuid */
            cron_id: string;
            /** Format: uuid */
            assistant_id: string;
            /** Format: uuid */
            thread_id: string | null;
            schedule: string;
            timezone: string | null;
            /** Format: date-time */
            end_time: string | null;
            enabled: boolean;
            /** @enum {string} */
            on_run_completed: "delete" | "keep";
            payload: {
                [key: string]: unknown;
            };
            metadata: {
                [key: string]: unknown;
            };
            user_id: string | null;
            /** Format: date-time */
            next_run_date: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        ThreadState: {
            values: unknown;
            next: string[];
            tasks: {
                [key: string]: unknown;
            }[];
            metadata?: {
                [key: string]: unknown;
            };
            created_at: string | null;
            checkpoint: {
                [key: string]: unknown;
            } | null;
            parent_checkpoint: {
                [key: string]: unknown;
            } | null;
            interrupts?: unknown[];
        };
        Item: {
            namespace: string[];
            key: string;
            value: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        DeadWebhook: {
            /** Format: uuid */
            run_id: string;
            /** Format: uuid */
            thread_id: string;
            url: string;
            attempts: number;
            error: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            died_at: string;
        };
        Feedback: {
            /** Format: uuid */
            run_id: string;
            /** Format: uuid */
            thread_id: string;
            /** Format: uuid */
            assistant_id: string;
            graph_id: string | null;
            key: string;
            score: number | null;
            value: unknown;
            comment: string | null;
            correction: unknown;
            metadata: {
                [key: string]: unknown;
            } | null;
            /**
             * Format: date-time
             * @description when it was given first. Null if nobody has used the URL
             */
            given_at: string | null;
            /** Format: date-time */
            updated_at: string;
        };
        FeedbackWithUrl: {
            /** Format: uuid */
            run_id: string;
            /** Format: uuid */
            thread_id: string;
            /** Format: uuid */
            assistant_id: string;
            graph_id: string | null;
            key: string;
            score: number | null;
            value: unknown;
            comment: string | null;
            correction: unknown;
            metadata: {
                [key: string]: unknown;
            } | null;
            /**
             * Format: date-time
             * @description when it was given first. Null if nobody has used the URL
             */
            given_at: string | null;
            /** Format: date-time */
            updated_at: string;
            url: string;
            /** Format: date-time */
            expires_at: string;
        };
        FeedbackTaken: {
            /** Format: uuid */
            run_id: string;
            key: string;
            score: number | null;
            value: unknown;
            comment: string | null;
            /** Format: date-time */
            updated_at: string;
        };
        ConsoleConfig: {
            version: string;
            /** @enum {string} */
            mode: "read-only" | "on";
            /** @description the kinds of credential that the service accepts. None if it has no auth */
            auth: ("api-key" | "token" | "custom")[];
            /** @description the path prefix of the API */
            prefix: string;
        };
        DeadLetter: {
            /**
             * Format: uuid
             * @description the letter of a webhook has the id of the webhook's run
             */
            id: string;
            /** @enum {string} */
            kind: "run" | "webhook" | "cron" | "task" | "partition" | "message" | "compensation";
            /**
             * Format: uuid
             * @description the run that failed, or whose item failed
             */
            run_id: string | null;
            /** Format: uuid */
            thread_id: string | null;
            /** Format: uuid */
            cron_id: string | null;
            graph_id: string | null;
            node: string | null;
            /** @description the name of the failed item, or the URL of the webhook */
            item: string | null;
            error: {
                type: string;
                message: string;
            };
            /** @description how often it failed for good */
            attempts: number;
            /** Format: date-time */
            first_at: string;
            /** Format: date-time */
            last_at: string;
            /** @enum {string} */
            state: "dead" | "redriving" | "redriven" | "discarded";
            /** @description the user who redrove or discarded it */
            by: string | null;
            /** @description the user of the run that failed */
            owner: string | null;
            /** @description the run that redrives it, or did so last */
            redrive: {
                /** Format: uuid */
                run_id: string;
                /** Format: uuid */
                thread_id: string;
            } | null;
        };
        WholeDeadLetter: {
            /**
             * Format: uuid
             * @description the letter of a webhook has the id of the webhook's run
             */
            id: string;
            /** @enum {string} */
            kind: "run" | "webhook" | "cron" | "task" | "partition" | "message" | "compensation";
            /**
             * Format: uuid
             * @description the run that failed, or whose item failed
             */
            run_id: string | null;
            /** Format: uuid */
            thread_id: string | null;
            /** Format: uuid */
            cron_id: string | null;
            graph_id: string | null;
            node: string | null;
            /** @description the name of the failed item, or the URL of the webhook */
            item: string | null;
            error: {
                type: string;
                message: string;
            };
            /** @description how often it failed for good */
            attempts: number;
            /** Format: date-time */
            first_at: string;
            /** Format: date-time */
            last_at: string;
            /** @enum {string} */
            state: "dead" | "redriving" | "redriven" | "discarded";
            /** @description the user who redrove or discarded it */
            by: string | null;
            /** @description the user of the run that failed */
            owner: string | null;
            /** @description the run that redrives it, or did so last */
            redrive: {
                /** Format: uuid */
                run_id: string;
                /** Format: uuid */
                thread_id: string;
            } | null;
            payload: unknown;
        };
        PlanTask: {
            id: string;
            title: string;
            depends_on: string[];
            /** @enum {string} */
            status: "pending" | "running" | "done" | "failed" | "skipped";
            agent: string | null;
            result: unknown;
            error: string | null;
            attempts: number;
            metadata: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            started_at: string | null;
            /** Format: date-time */
            ended_at: string | null;
        };
        ListedPlan: {
            /** Format: uuid */
            plan_id: string;
            type: string;
            title: string | null;
            metadata: {
                [key: string]: unknown;
            };
            owner: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @enum {string} */
            status: "pending" | "running" | "done" | "failed";
            progress: {
                total: number;
                pending: number;
                running: number;
                done: number;
                failed: number;
                skipped: number;
                /** @description the share of subtasks that are done or skipped */
                percent: number;
            };
        };
        Plan: {
            /** Format: uuid */
            plan_id: string;
            type: string;
            title: string | null;
            metadata: {
                [key: string]: unknown;
            };
            owner: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @enum {string} */
            status: "pending" | "running" | "done" | "failed";
            progress: {
                total: number;
                pending: number;
                running: number;
                done: number;
                failed: number;
                skipped: number;
                /** @description the share of subtasks that are done or skipped */
                percent: number;
            };
            /** @description subtasks that can begin now */
            ready: string[];
            /** @description subtasks that cannot begin, because one before them failed */
            blocked: string[];
            aggregate: {
                complete: boolean;
                results: {
                    id: string;
                    title: string;
                    agent: string | null;
                    result: unknown;
                }[];
                failed: {
                    id: string;
                    error: string | null;
                }[];
                /** @description subtasks that are neither done nor skipped */
                missing: string[];
                summary: string;
            };
            subtasks: components["schemas"]["PlanTask"][];
        };
        ThreadPlan: {
            /** Format: uuid */
            thread_id: string;
            type: string;
            title: string | null;
            /** @enum {string} */
            status: "pending" | "running" | "done" | "failed";
            progress: {
                total: number;
                pending: number;
                running: number;
                done: number;
                failed: number;
                skipped: number;
                /** @description the share of subtasks that are done or skipped */
                percent: number;
            };
            /** @description subtasks that can begin now */
            ready: string[];
            /** @description subtasks that cannot begin, because one before them failed */
            blocked: string[];
            aggregate: {
                complete: boolean;
                results: {
                    id: string;
                    title: string;
                    agent: string | null;
                    result: unknown;
                }[];
                failed: {
                    id: string;
                    error: string | null;
                }[];
                /** @description subtasks that are neither done nor skipped */
                missing: string[];
                summary: string;
            };
            subtasks: components["schemas"]["PlanTask"][];
        };
        Resource: {
            name: string;
            /** @enum {string} */
            kind: "pool" | "rate";
            capacity: number;
            limit: {
                /** @description Number of units that nodes can hold at once. */
                pool?: number;
                /** @description Number of tokens in a unit of time, such as `"1000/m"`. The units are `s`, `m`, `h` and `d`. */
                rate?: string;
            } & {
                [key: string]: unknown;
            };
            overridden: boolean;
            held: number;
            free: number;
            waiting: number;
            longest_wait_seconds: number;
            contention: number;
            holders: {
                thread_id: string;
                run_id: string;
                /** @enum {string} */
                state: "held" | "waiting";
                amount: number;
                priority: number;
                seconds: number;
            }[];
        };
        RunStats: {
            /** Format: date-time */
            now: string;
            /** @description the minutes of the last hour in which runs were created or ended, the oldest first */
            minutes: {
                /** Format: date-time */
                at: string;
                created: number;
                success: number;
                error: number;
                timeout: number;
                interrupted: number;
            }[];
        };
        ServiceStats: {
            /** Format: date-time */
            now: string;
            /**
             * Format: date-time
             * @description the start of the first hour that counts
             */
            since: string;
            runs: {
                /** @description runs whose first attempt a worker has begun */
                created: number;
                succeeded: number;
                /** @description runs that ended with an error or a timeout */
                failed: number;
                /** @description runs that were cancelled */
                interrupted: number;
                /** @description runs that succeeded or failed in an hour */
                throughput_per_hour: number;
                /** @description contradictions between findings */
                conflicts: number;
                /** @description from the first attempt to the end */
                duration_seconds: {
                    p50: number | null;
                    p95: number | null;
                };
                /** @description from the due time to the first attempt */
                wait_seconds: {
                    p50: number | null;
                    p95: number | null;
                };
            };
            graphs: {
                graph: string;
                /** @description runs whose first attempt a worker has begun */
                created: number;
                succeeded: number;
                /** @description runs that ended with an error or a timeout */
                failed: number;
                /** @description runs that were cancelled */
                interrupted: number;
                /** @description runs that succeeded or failed in an hour */
                throughput_per_hour: number;
                /** @description contradictions between findings */
                conflicts: number;
                /** @description from the first attempt to the end */
                duration_seconds: {
                    p50: number | null;
                    p95: number | null;
                };
                /** @description from the due time to the first attempt */
                wait_seconds: {
                    p50: number | null;
                    p95: number | null;
                };
            }[];
            agents: {
                graph: string;
                agent: string;
                /**
                 * @description by the last 20 calls: degraded above 10 % of failures, failing above 50 %
                 * @enum {string}
                 */
                health: "healthy" | "degraded" | "failing";
                calls: number;
                failures: number;
                failure_rate: number;
                latency_seconds: {
                    mean: number;
                    p50: number | null;
                    p95: number | null;
                };
                /** @description calls that had to wait for a resource */
                waits: number;
                waited_seconds: number;
                input_tokens: number;
                output_tokens: number;
                retries: number;
                recoveries: number;
                stalls: number;
                last_error: {
                    message: string;
                    /** Format: date-time */
                    at: string;
                } | null;
            }[];
            alerts: {
                graph: string;
                alert: string;
                /** @description whether the last run that was checked has crossed the threshold */
                active: boolean;
                value: number;
                threshold: number;
                /**
                 * Format: uuid
                 * @description the run that crossed the threshold last
                 */
                run_id: string;
                crossings: number;
                /** Format: date-time */
                crossed_at: string;
            }[];
        };
        ThreadStorage: {
            /** Format: uuid */
            thread_id: string;
            total_bytes: number;
            /** @description the checkpoints with their metadata */
            checkpoints: {
                count: number;
                bytes: number;
            };
            /** @description the values of the graph's channels, in total and by channel */
            channel_values: {
                count: number;
                bytes: number;
                by_channel: {
                    [key: string]: {
                        versions: number;
                        bytes: number;
                    };
                };
            };
            /** @description the results of tasks in steps that have not ended */
            pending_writes: {
                count: number;
                bytes: number;
            };
        };
        UsageSum: {
            /**
             * Format: date
             * @description the day in UTC
             */
            day?: string;
            /** @description the queue key, or null for runs without a key */
            key?: string | null;
            graph?: string;
            model?: string;
            calls: number;
            /** @description calls that failed */
            failed_calls: number;
            /** @description calls whose endpoint reported no tokens, so that their tokens are estimated */
            estimated_calls: number;
            /** @description calls of models without a price, which count 0 dollars */
            unpriced_calls: number;
            input_tokens: number;
            /** @description input tokens that the endpoint had cached; they are a part of `input_tokens` */
            cached_tokens: number;
            output_tokens: number;
            dollars: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
