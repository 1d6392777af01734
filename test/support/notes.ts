import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { DynamicModule } from '@nestjs/common';
import { PolyMongoModule, type PolyMongoOptions, type TenantOptions } from 'nestjs-polymongo';
import { uniqueName } from './database-names.js';

/** A document that knows whose it is, so that one in the wrong database can be told. */
@Schema()
export class Note {
  @Prop({ required: true })
  tenant!: string;

  @Prop()
  text?: string;
}
export const NoteSchema = SchemaFactory.createForClass(Note);

/** The modules of an application with notes, in databases that no other test uses. */
export function notesModules(
  mongoURI: string,
  tenant: TenantOptions,
  limits: Partial<PolyMongoOptions> = {},
): DynamicModule[] {
  const prefix = uniqueName('t');
  return [
    PolyMongoModule.forRoot({
      mongoURI,
      defaultDB: `${prefix}_default`,
      shutdownTimeoutMS: 2000,
      ...limits,
      tenant: { database: (tenantId) => `${prefix}_${tenantId}`, ...tenant },
    }),
    PolyMongoModule.forFeature([{ name: Note.name, schema: NoteSchema }]),
  ];
}
