// #region schema
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

@Schema()
export class User {
  @Prop({ required: true, unique: true })
  email!: string;
}
export const UserSchema = SchemaFactory.createForClass(User);
// #endregion

// #region controller
import { Controller, Get, Post, Body } from '@nestjs/common';
import { InjectPolyModel, InjectTenantModel, type PolyModel, type TenantModel } from 'nestjs-polymongo';

@Controller('users')
export class UsersController {
  constructor(
    @InjectTenantModel(User.name) private readonly mine: TenantModel<User>,
    @InjectPolyModel(User.name) private readonly users: PolyModel<User>,
  ) {}

  @Get() // the users of the tenant in the x-tenant-id header
  list() {
    return this.mine.find();
  }

  @Post()
  create(@Body() user: User) {
    return this.mine.create(user);
  }

  @Get('archived') // a database by its name
  archived() {
    return this.users.db('archive').find();
  }

  @Get('main') // the default database
  main() {
    return this.users.find();
  }
}
// #endregion

// #region module
import { Module } from '@nestjs/common';
import { fromHeader, PolyMongoModule } from 'nestjs-polymongo';

@Module({
  imports: [
    PolyMongoModule.forRootAsync({
      useFactory: () => ({
        mongoURI: process.env.MONGODB_URI ?? 'mongodb://localhost:27017',
        defaultDB: 'main',
        coldStart: process.env.NODE_ENV !== 'production', // there it does not start without its MongoDB
      }),
      tenant: { resolve: fromHeader('x-tenant-id') },
    }),
    PolyMongoModule.forFeature([{ name: User.name, schema: UserSchema }]),
  ],
  controllers: [UsersController],
})
export class AppModule {}
// #endregion

// #region main
import { NestFactory } from '@nestjs/core';

export async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks(); // pools drain and close when the process is asked to end
  await app.listen(3000);
}
// #endregion
