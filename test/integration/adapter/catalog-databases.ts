import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { inject } from 'vitest';
import { aSqliteFile } from '../../services/sqlite.js';
import type { ADatabase } from './catalog-shapes.js';

const aName = () => `catalog_${randomBytes(5).toString('hex')}`;

/** A new database of the shared server, with the connection that fills and reads it. */
export async function aPostgresDatabase(user?: string, database = aName()): Promise<ADatabase & { name: string }> {
  const url = new URL(inject('services').postgres?.url as string);
  if (user === undefined) {
    const admin = new pg.Client(url.href);
    await admin.connect();
    await admin.query(`create database ${database}`);
    await admin.end();
  } else {
    url.username = user;
  }
  url.pathname = `/${database}`;
  const client = new pg.Client(url.href);
  await client.connect();
  return {
    name: database,
    dialect: { name: 'postgres' },
    ask: async (sql) => (await client.query(sql)).rows,
    run: async (...statements) => {
      for (const sql of statements) await client.query(sql);
    },
    end: () => client.end(),
  };
}

export async function aMysqlDatabase(user?: string, database = aName()): Promise<ADatabase & { name: string }> {
  const url = new URL(inject('services').mysql?.url as string);
  if (user !== undefined) url.username = user;
  const client = await mysql.createConnection(url.href);
  if (user === undefined) await client.query(`create database ${database}`);
  await client.query(`use ${database}`);
  return {
    name: database,
    dialect: { name: 'mysql' },
    ask: async (sql) => (await client.query(sql))[0] as Record<string, unknown>[],
    run: async (...statements) => {
      for (const sql of statements) await client.query(sql);
    },
    end: async () => {
      if (user === undefined) await client.query(`drop database ${database}`);
      await client.end();
    },
  };
}

export async function aSqliteDatabase(): Promise<ADatabase & { name: string }> {
  const { file, open, remove } = aSqliteFile();
  const client = open();
  return {
    name: file,
    dialect: { name: 'sqlite' },
    ask: async (sql) => client.prepare(sql).all() as Record<string, unknown>[],
    run: async (...statements) => {
      for (const sql of statements) client.exec(sql);
    },
    end: async () => remove(),
  };
}
